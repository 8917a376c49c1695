DELIMITER //
CREATE PROCEDURE p() BEGIN SELECT ';'; END//
delimiter ;
/*!50003 SET @a = '\'' */;
CALL p();
# end
